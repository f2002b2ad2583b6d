"""Compares two captures without the load tool: the same sequence of messages in each group?

A sequence is the group's messages by MsgSeq, each as its sender (counted in the order in which senders first
speak in the group), its priority, its length, and its number among what the sender sent. Where the rate limit
decided by chance, a sender's messages were numbered in another order than sent, and are replayed in that of the
numbers; then the number among the sender's is left out. Captures have pseudonyms of different keys, so groups
are matched by their sequences. The third argument is the report of the captured run: no message of it may be
missing.
"""

import collections
import json
import sys


def messages(path):
    groups = collections.defaultdict(dict)
    with open(path, encoding="utf-8") as lines:
        next(lines)
        for line in lines:
            record = json.loads(line)
            message = record.get("message")
            if message and message.get("seq") and not message.get("dropped"):
                bytes_of = sum(element["bytes"] for element in message["elements"])
                said = (record["user"], message["priority"], bytes_of, message["id"])
                groups[record["group"]].setdefault(message["seq"], (record["at"], *said))
    return groups.values()


def sequence(group, in_sending_order):
    said, nth = collections.Counter(), {}
    for _, user, _, _, message in sorted(group.values()):
        said[user] += 1
        nth[message] = said[user] if in_sending_order else 0
    senders, found = {}, []
    for seq in sorted(group):
        _, user, priority, length, message = group[seq]
        found.append((senders.setdefault(user, len(senders)), priority, length, nth[message]))
    return found


def sequences(path, in_sending_order):
    return sorted(sequence(group, in_sending_order) for group in messages(path))


with open(sys.argv[3], encoding="utf-8") as report:
    counts = json.load(report)["counts"]
chance = counts["dropped"] > 0
one, other = sequences(sys.argv[1], not chance), sequences(sys.argv[2], not chance)
kept = counts["acknowledged"] - counts["dropped"]
total = sum(map(len, one))
if total != kept or total == 0:
    sys.exit(f"the run had {kept} messages, its capture has {total}")
if one != other:
    differ = sum(a != b for a, b in zip(one, other)) + abs(len(one) - len(other))
    sys.exit(f"the sequences of {differ} groups differ")
print(f"{total} messages in {len(one)} groups: the same sequences in both captures")
