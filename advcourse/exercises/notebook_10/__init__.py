"""The exercises of notebook 10: defences that hide, the checklist, a defence of one's own, and two proofs."""
