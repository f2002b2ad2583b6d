//! Shards with sockets in memory.
