"""Spam: filters that see words, attacks that write others, and defences. One idea a file.

tokens, features and filters make a filter of messages; good_words, sentences, characters, swaps and evasion get spam
past it, and readable says whether a person still reads it; normalise, evasion, deletion and augmentation defend;
arms_race lets both sides take turns; shown is the widget in which one plays them.
"""
