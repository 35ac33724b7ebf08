"""10.5 takes a model: models that lie, remember, sleep, end the process."""

from tests.hostile.case import case, function


def lies(name, body, **more):
    return case("model", name, function("defend(x, y, eps)", body), notebook="10", **more)


# An ordinary network, trained on the images that the exercise gives: what several of the lies stand on.
TRAINED = """
net = nn.Sequential(nn.Flatten(), nn.Linear(36, 16), nn.ReLU(), nn.Linear(16, 3))
optimiser = torch.optim.Adam(net.parameters(), lr=0.03)
for _ in range(60):
    optimiser.zero_grad()
    F.cross_entropy(net(x), y).backward()
    optimiser.step()
net.requires_grad_(False)
"""

CASES = [
    lies("a model that is always sure of class 0", "return lambda images: torch.eye(3)[0].expand(len(images), 3)"),
    lies("a model that returns nothing, or words", "return lambda images: 'the right class'"),
    lies("a model of one huge answer", "return lambda images: torch.zeros(len(images), 40_000_000 // len(images))"),
    lies("a model that returns NaN", "return lambda images: torch.full((len(images), 3), float('nan'))"),
    lies("a model that sleeps", "import time\nreturn lambda images: time.sleep(1000)", seconds=1),
    lies("a model that ends the process when it is asked", "import os\nreturn lambda images: os._exit(0)"),
    lies("a model that returns a model", "def again(images):\n    return again\nreturn again"),
    lies("a model that is a network of nonsense", """
net = nn.Sequential(nn.Flatten(), nn.Linear(36, 3))
net[1].weight.data *= float('inf')
return net"""),
    lies("a network whose weights have another shape than it says", """
net = nn.Sequential(nn.Flatten(), nn.Linear(36, 3))
net[1].in_features = 10**12
return net"""),
    lies("a model that answers for as long as it thinks that it is not attacked", TRAINED + """kept = []
def model(images):
    with torch.no_grad():
        if not kept:
            kept.append((images.detach().clone(), net(images)))
        clean, logits = kept[0]
        nearest = torch.cdist(images.detach().flatten(1), clean.flatten(1)).argmin(1)
    return logits[nearest]
return model"""),
    lies("a model that remembers the clean images, with smooth answers", TRAINED + """kept = []
def model(images):
    with torch.no_grad():
        if not kept:
            kept.append((images.detach().clone().flatten(1), net(images).argmax(1)))
    clean, labels = kept[0]
    near = -4 * torch.cdist(images.flatten(1), clean).square()
    return torch.stack([near[:, labels == label].logsumexp(1) if (labels == label).any() else near[:, 0] - 50
                        for label in range(3)], 1)
return model""", seconds=60),
    lies("a model with masked gradients", """
net = nn.Sequential(nn.Flatten(), nn.Linear(36, 3))
optimiser = torch.optim.Adam(net.parameters(), lr=0.03)
for _ in range(60):
    optimiser.zero_grad()
    F.cross_entropy(net(x), y).backward()
    optimiser.step()
return lambda images: net((images * 4).round() / 4).detach() * 1e6"""),
]
