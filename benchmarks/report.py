"""What benchmarks/attacks.py measured: as verdicts, as a table, as a picture, and as a list of goals."""

import json
import math

from advcourse import files

POINTS, RATIO = 0.005, 1.01  # ours may be worse by half a point of success, and by 1 % of the distance
FLOOR = 1.10
COLOURS = {"better": "#0072B2", "equal": "#56B4E9", "worse": "#D55E00"}  # of Okabe and Ito, safe for the colour-blind


def verdict(result):
    """The result with what follows from its rows: how good ours is beside the best peer, and how fast.

    Speed is compared with the fastest peer that is as good.
    """
    measured = {row["contender"]: row for row in result["rows"] if "note" not in row}
    ours = measured.get("ours")
    peers = [row for label, row in measured.items() if not label.startswith(("ours", "floor"))]
    if ours is None or not peers:
        return result
    success = ours["success"] - max(row["success"] for row in peers)
    if result["kind"] == "budget":
        quality = "better" if success > POINTS else "equal" if success >= -POINTS else "worse"
    else:
        nearest = min(row["distance"] for row in peers)
        ratio = 1.0 if ours["distance"] == nearest else ours["distance"] / nearest if nearest else math.inf
        result["distance_to_best_peer"] = ratio
        quality = "worse" if success < -POINTS or ratio > RATIO else "better" if ratio < 2 - RATIO else "equal"
    # The fastest peer is sought among those whose result is as good as ours: else whoever stops first wins. Where there
    # is none: the best one.
    as_good = [row for row in peers if row["success"] >= ours["success"] - POINTS
               and (result["kind"] == "budget" or row["distance"] <= RATIO * ours["distance"])]
    if as_good:
        fastest = min(as_good, key=lambda row: row["seconds"])
    else:
        by_success, by_distance = (lambda row: -row["success"]), (lambda row: (row["distance"], -row["success"]))
        fastest = min(peers, key=by_success if result["kind"] == "budget" else by_distance)
    result |= {
        "success_to_best_peer": success, "quality": quality,
        "fastest_peer": fastest["contender"], "none_as_good": not as_good,
        "speed_up": fastest["seconds"] / ours["seconds"],
        "speed_up_over_all": min(row["seconds"] for row in peers) / ours["seconds"],
    }
    if "floor" in measured:
        result["of_floor"] = ours["seconds"] / measured["floor"]["seconds"]
    return result


def table(results):
    """A Markdown table, one line per contender."""
    lines = [
        "| attack | model | contender | seconds | × ours | forward / image | backward / image | success | median "
        "distance | remarks |",
        "|---|---|---|--:|--:|--:|--:|--:|--:|---|",
    ]
    for result in results:
        eps = "" if result["eps"] is None else f", {'pixels' if result['norm'] == 'l0' else 'ε'} {result['eps']:g}"
        ours = next((row.get("seconds") for row in result["rows"] if row["contender"] == "ours"), None)
        for row in result["rows"]:
            cells = [result["attack"], f"{result['model']}, {result['images']} images{eps}", row["contender"]]
            if "note" in row:
                cells += [""] * 6 + [row["note"]]
            else:
                far, bare = row["distance"], row["contender"] == "floor"
                cells += [
                    f"{row['seconds']:.3g}", f"{row['seconds'] / ours:.2f}" if ours else "", f"{row['forwards']:,.1f}",
                    f"{row['backwards']:,.1f}",
                    "" if bare else f"{row['success']:.1%}",
                    "" if far is None or bare else "none" if math.isinf(far) else f"{far:.4g}",
                    "" if row["repeats"] >= 5 else f"{row['repeats']} repeats" if row["repeats"] > 1 else "1 repeat"]
            if row["contender"] == "ours" and "quality" in result:
                cells[-1] = "; ".join(filter(None, [cells[-1], remark(result)]))
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def remark(result):
    """Ours beside the peers, in a few words."""
    if result["kind"] == "budget":
        quality = f"{100 * result['success_to_best_peer']:+.1f} points"
    elif result["distance_to_best_peer"] == 0:
        quality = "no peer succeeds on half of the images"
    else:
        quality = f"{result['distance_to_best_peer']:.3f} × the best peer's distance"
    fastest = f"{result['speed_up']:.2f} × as fast as {result['fastest_peer']}" + (", the best of them"
                                                                                   if result["none_as_good"] else "")
    if result["speed_up_over_all"] < result["speed_up"]:
        fastest += f" ({result['speed_up_over_all']:.2f} × of a worse one)"
    return "; ".join([f"{result['quality']} ({quality})",
                      fastest] + ([f"{result['of_floor']:.2f} of the floor"] if "of_floor" in result else []))


def goals(results):
    """The project's goals, one line for each that a comparison can hold or miss, the missed ones first."""
    lines = []
    for result in results:
        if "quality" not in result:
            lines.append((None, f"{result['attack']}, {result['model']}: not compared, as no peer, or ours, ran"))
            continue
        what = f"{result['attack']}, {result['model']}"
        lines.append((result["quality"] != "worse", f"{what}: as good as the best peer: {remark(result)}"))
        # on small batches single operations weigh more than their work
        if result["goal"] and (result["goal"] > 1 or result["model"] == "cnn"):
            # 2 %: two libraries at the floor differ by chance
            reached = result["speed_up"] >= result["goal"] * (0.98 if result["goal"] == 1 else 1)
            lines.append((reached, f"{what}: at least {result['goal']:g} × as fast as the fastest peer as good: "
                                   f"{result['speed_up']:.2f} × {result['fastest_peer']}"))
        if "of_floor" in result and result["model"] == "cnn":
            lines.append((result["of_floor"] <= FLOOR,
                          f"{what}: at most {FLOOR} of the floor: {result['of_floor']:.2f}"))
    words = {True: "holds      ", False: "DOES NOT   ", None: "not known  "}
    ordered = sorted(lines, key=lambda line: line[0] is not False)
    held = sum(line[0] is True for line in lines)
    return "\n".join([f"{held} of {sum(line[0] is not None for line in lines)} goals hold.",
                      *(words[line[0]] + line[1] for line in ordered)])


def picture(content, out):
    """out.png: bars of how many times faster ours is than the fastest peer as good, a panel per model.

    The colour says how good ours is.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib.ticker import LogLocator, NullFormatter

    compared = [result for result in content["results"] if "quality" in result]
    about = (f"{content['machine']}, {content['threads']} thread, {content['clock']}, {content['date']}, "
             f"{content['measured']}")
    names = list(dict.fromkeys(result["attack"] for result in compared))
    models = list(dict.fromkeys(result["model"] for result in compared))
    figure, axes = plt.subplots(1, len(models), figsize=(4 + 3 * len(models), 1.8 + 0.27 * len(names)), sharex=True,
                                sharey=True, squeeze=False, layout="constrained")
    for axis, model in zip(axes[0], models, strict=True):
        for result in compared:
            if result["model"] == model:
                place, speed = names.index(result["attack"]), result["speed_up"]
                axis.barh(place, speed - 1, left=1, color=COLOURS[result["quality"]],
                          hatch="///" if result["quality"] == "worse" else None, edgecolor="white", linewidth=0)
                axis.annotate(f"{speed:.2g}" if speed < 10 else f"{speed:.0f}", (speed, place),
                              (3 if speed >= 1 else -3, 0), textcoords="offset points",
                              ha="left" if speed >= 1 else "right", va="center", fontsize=8)
        axis.set(title={"cnn": "CNN", "robust": "CNN, adversarially trained",
                        "softmax": "softmax regression"}.get(model, model), xscale="log")
        axis.axvline(1, color="black", linewidth=0.8)
        axis.axvline(3, color="black", linewidth=0.8, linestyle=":")
        axis.set_yticks(range(len(names)), names, fontsize=9)
        axis.spines[["top", "right"]].set_visible(False)
        axis.margins(x=0.18)
    axes[0][0].invert_yaxis()
    axes[0][0].xaxis.set_major_locator(LogLocator(subs=(1, 3)))
    axes[0][0].xaxis.set_major_formatter("{x:g}")
    axes[0][0].xaxis.set_minor_formatter(NullFormatter())
    figure.supxlabel("times as fast as the fastest peer whose result is as good (where there is none: than the best "
                     "one; log scale; dotted: 3 ×)", fontsize=9)
    handles = [plt.Rectangle((0, 0), 1, 1, color=colour) for colour in COLOURS.values()]
    figure.legend(handles, [f"our result is {name}" + (" (within 0.5 points or 1 %)" if name == "equal" else "")
                            for name in COLOURS],
                  loc="outside upper center", ncols=3, frameon=False, fontsize=9, title=about, title_fontsize=9)
    figure.savefig(out.with_suffix(".png"), dpi=110)
    plt.close(figure)


def write(content, out):
    """out.json and out.md.

    JSON knows no infinity: a distance that is infinite, or that the attack has none of, is null there.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    libraries = ", ".join(f"{name} {number}" for name, number in content["libraries"].items())
    head = (f"Made by `{content['made by']}` on {content['date']}: {content['machine']}, {content['cores']} cores, "
            f"{content['threads']} thread; {content['clock']}, medians; {content['measured']}.")
    versions = (f"PyTorch {content['torch']}; {libraries}; "
                f"not installed: {', '.join(content['not installed']) or 'none'}.")
    text = "\n\n".join(["# Attacks, side by side", head, versions, table(content["results"]), "## Goals",
                        "```\n" + goals(content["results"]) + "\n```"])
    files.write(out.with_suffix(".json"), json.dumps(_finite(content), indent=1, ensure_ascii=False,
                                                     allow_nan=False) + "\n")
    files.write(out.with_suffix(".md"), text + "\n")


def _finite(value):
    if isinstance(value, dict):
        return {key: _finite(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
