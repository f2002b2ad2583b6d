//! Writes: batches, deletions of partitions, conditional writes.

use bytes::Bytes;
use scylla::deserialize::row::ColumnIterator;
use scylla::statement::batch::{Batch as CqlBatch, BatchType};
use scylla::statement::prepared::PreparedStatement;

use super::statements::Kind;
use super::values::{self, Value};
use super::{CqlStore, errors};
use crate::{Batch, Key, Op, StoreError, Table, WriteTime, codec, plan};

impl CqlStore {
    /// Writes a batch that was checked.
    ///
    /// A batch of one table is one mutation of one partition, which every replica applies whole. Over
    /// several tables ScyllaDB makes several mutations of it, so that batch goes through the
    /// database's batch log: slower, but finished even if the coordinator dies in the middle.
    /// (Cassandra makes one mutation of it in any case, and leaves the log out.)
    pub(super) async fn write_batch(&self, batch: &Batch) -> Result<(), StoreError> {
        let time = self.time_of(batch.write_time());
        if let [op] = batch.ops.as_slice() {
            let mut statement = self.statement(op.table, kind_of(op)).await?;
            statement.set_timestamp(Some(time));
            self.execute(&statement, values_of(batch, op)).await?;
            return Ok(());
        }
        let tables = |op: &Op| op.table.name != batch.ops[0].table.name;
        let log =
            if batch.ops.iter().any(tables) { BatchType::Logged } else { BatchType::Unlogged };
        let mut request = CqlBatch::new(log);
        let mut values = Vec::with_capacity(batch.ops.len());
        let mut last: Option<(&str, Kind, PreparedStatement)> = None;
        for op in &batch.ops {
            let kind = kind_of(op);
            let known = last.take().filter(|(name, of, _)| (*name, *of) == (op.table.name, kind));
            let statement = match known {
                Some((_, _, statement)) => statement,
                None => self.statement(op.table, kind).await?,
            };
            request.append_statement(statement.clone());
            values.push(values_of(batch, op));
            last = Some((op.table.name, kind, statement));
        }
        request.set_timestamp(Some(time));
        request.set_is_idempotent(true);
        request.set_execution_profile_handle(Some(self.statements.profiles().write.clone()));
        self.session.batch(&request, values).await.map_err(errors::execution)?;
        Ok(())
    }

    pub(super) async fn delete_rows(
        &self,
        table: &'static Table,
        partition: &Key,
        at: Option<WriteTime>,
    ) -> Result<(), StoreError> {
        let mut statement = self.statement(table, Kind::DeletePartition).await?;
        statement.set_timestamp(Some(self.time_of(at)));
        self.execute(&statement, values::of_key(partition).collect()).await?;
        Ok(())
    }

    /// Puts a row if it holds what is expected; true if it did.
    pub(super) async fn set_if(
        &self,
        table: &'static Table,
        (partition, clustering): (&Key, &Key),
        expected: Option<&[u8]>,
        new: &Bytes,
    ) -> Result<bool, StoreError> {
        let kind = if expected.is_some() { Kind::CompareAndSet } else { Kind::PutIfAbsent };
        let statement = self.statement(table, kind).await?;
        let mut bound = vec![Value::Bytes(new)];
        bound.extend(values::of_key(partition).chain(values::of_key(clustering)));
        bound.extend(expected.map(Value::Bytes));
        let answer = self.execute(&statement, bound).await?;
        let rows = answer.into_rows_result().map_err(errors::backend)?;
        let mut row = rows.first_row::<ColumnIterator<'_, '_>>().map_err(errors::backend)?;
        // The first column tells; what follows it is not the same on all databases.
        Ok(values::take_bytes(&mut row)?.as_ref() == [1])
    }

    fn time_of(&self, given: Option<WriteTime>) -> i64 {
        given.map_or_else(|| self.clock.next(), |WriteTime(micros)| micros)
    }
}

/// Checks the key and size of a conditional write.
pub(super) fn check_condition(
    table: &'static Table,
    partition: &Key,
    clustering: &Key,
    new: &Bytes,
) -> Result<(), StoreError> {
    let row = codec::row(table, &codec::partition(table, partition)?, clustering)?;
    plan::check_size(row.len() + new.len())
}

fn kind_of(op: &Op) -> Kind {
    match (&op.value, op.ttl) {
        (None, _) => Kind::Delete,
        (Some(_), None) => Kind::Put,
        (Some(_), Some(_)) => Kind::PutTtl,
    }
}

fn values_of<'a>(batch: &'a Batch, op: &'a Op) -> Vec<Value<'a>> {
    let ttl = op.ttl.filter(|_| op.value.is_some());
    let mut bound = Vec::with_capacity(8);
    bound.extend(ttl.map(|ttl| Value::Int(plan::ttl_seconds(ttl))));
    bound.extend(op.value.as_deref().map(Value::Bytes));
    bound.extend(values::of_key(&batch.partition).chain(values::of_key(&op.clustering)));
    bound
}
