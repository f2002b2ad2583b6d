"""Runs CQL statements on 127.0.0.1: cql.py PORT STATEMENT..."""

import sys

from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
from cassandra.policies import RoundRobinPolicy
from cassandra.query import tuple_factory

TIMEOUT_SECONDS = 60


def main(port, statements):
    profile = ExecutionProfile(load_balancing_policy=RoundRobinPolicy(), row_factory=tuple_factory,
                               request_timeout=TIMEOUT_SECONDS)
    cluster = Cluster(["127.0.0.1"], port=port, protocol_version=5,
                      execution_profiles={EXEC_PROFILE_DEFAULT: profile})
    with cluster, cluster.connect() as session:
        for statement in statements:
            rows = session.execute(statement)
            if rows.column_names:
                print("\t".join(rows.column_names))
            for row in rows:
                print("\t".join(map(str, row)))


try:
    main(int(sys.argv[1]), sys.argv[2:])
except Exception as error:
    sys.exit(f"{type(error).__name__}: {error}")
