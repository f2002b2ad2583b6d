"""Compares two captures without the load tool: the same sequence of messages in each group?

A sequence is the group's messages by MsgSeq, each as its sender (counted in the order in which senders first
speak in the group) and its number among the sender's. Captures have pseudonyms of different keys, so groups
are matched by their sequences. The third argument is the report of the captured run: no message of it may be
missing.
"""

import collections
import json
import sys


def sequences(path):
    groups = collections.defaultdict(dict)
    with open(path, encoding="utf-8") as lines:
        next(lines)
        for line in lines:
            record = json.loads(line)
            message = record.get("message")
            if message and message.get("seq") and not message.get("dropped"):
                groups[record["group"]][message["seq"]] = (record["at"], record["user"], message["id"])
    found = []
    for messages in groups.values():
        senders, said, sequence = {}, collections.Counter(), []
        # What a sender sent first is its first message, whatever number it got.
        nth = {}
        for _, user, message in sorted(messages.values()):
            said[user] += 1
            nth[message] = said[user]
        for seq in sorted(messages):
            _, user, message = messages[seq]
            sequence.append((senders.setdefault(user, len(senders)), nth[message]))
        found.append(sequence)
    return sorted(found)


one, other = sequences(sys.argv[1]), sequences(sys.argv[2])
with open(sys.argv[3], encoding="utf-8") as report:
    counts = json.load(report)["counts"]
kept = counts["acknowledged"] - counts["dropped"]
total = sum(map(len, one))
if total != kept or total == 0:
    sys.exit(f"the run had {kept} messages, its capture has {total}")
if one != other:
    differ = sum(a != b for a, b in zip(one, other)) + abs(len(one) - len(other))
    sys.exit(f"the sequences of {differ} groups differ")
print(f"{total} messages in {len(one)} groups: the same sequences in both captures")
