//! Reads: single rows, pages, the list of partitions.

use bytes::Bytes;
use scylla::deserialize::row::ColumnIterator;
use scylla::response::{PagingState, PagingStateResponse};
use scylla::statement::prepared::PreparedStatement;

use super::slices::slices;
use super::statements::{Kind, Shape};
use super::values::{self, Value};
use super::{CqlStore, errors};
use crate::{Key, Page, Row, StoreError, Table};

impl CqlStore {
    pub(super) async fn read_row(
        &self,
        table: &'static Table,
        partition: &Key,
        clustering: &Key,
    ) -> Result<Option<Bytes>, StoreError> {
        let statement = self.statement(table, Kind::Get).await?;
        let bound = values::of_key(partition).chain(values::of_key(clustering)).collect();
        let answer = self.execute(&statement, bound).await?;
        let rows = answer.into_rows_result().map_err(errors::backend)?;
        let row = rows.maybe_first_row::<ColumnIterator<'_, '_>>().map_err(errors::backend)?;
        row.map(|mut row| values::take_bytes(&mut row)).transpose()
    }

    /// Reads a page whose bounds were checked.
    pub(super) async fn read_page(
        &self,
        table: &'static Table,
        partition: &Key,
        page: &Page,
    ) -> Result<Vec<Row>, StoreError> {
        let limit = page.limit.min(Page::MAX_LIMIT);
        let kinds = || table.clustering.iter().map(|column| column.1);
        let mut found = Vec::new();
        for slice in slices(page) {
            if found.len() >= limit {
                break;
            }
            let statement =
                self.statement(table, Kind::Page(Shape::of(&slice, page.order))).await?;
            let mut bound: Vec<_> = values::of_key(partition).collect();
            bound.extend(slice.equal.iter().map(Value::Key));
            bound.extend(
                [slice.after, slice.before].into_iter().flatten().map(|edge| Value::Key(edge.at)),
            );
            bound.push(limit_of(limit - found.len()));
            self.read_all(&statement, bound, |row| {
                let clustering = values::take_key(row, kinds())?;
                found.push(Row { clustering, value: values::take_bytes(row)? });
                Ok(())
            })
            .await?;
        }
        Ok(found)
    }

    /// Lists partition keys in the order of their tokens. Two keys with one token would be one too
    /// many at the end of a page; with 64 bits that does not happen.
    pub(super) async fn read_partitions(
        &self,
        table: &'static Table,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<Key>, StoreError> {
        let kind = if after.is_some() { Kind::ScanAfter } else { Kind::ScanFirst };
        let statement = self.statement(table, kind).await?;
        let mut bound: Vec<_> = after.into_iter().flat_map(values::of_key).collect();
        bound.push(limit_of(limit));
        let mut found = Vec::new();
        self.read_all(&statement, bound, |row| {
            found.push(values::take_key(row, table.partition.iter().map(|column| column.1))?);
            Ok(())
        })
        .await?;
        Ok(found)
    }

    /// Hands on every row of a query, answer by answer.
    async fn read_all(
        &self,
        statement: &PreparedStatement,
        bound: Vec<Value<'_>>,
        mut take: impl FnMut(&mut ColumnIterator<'_, '_>) -> Result<(), StoreError> + Send,
    ) -> Result<(), StoreError> {
        let mut state = PagingState::start();
        loop {
            let answer = self.session.execute_single_page(statement, &bound, state).await;
            let (answer, next) = answer.map_err(errors::execution)?;
            let rows = answer.into_rows_result().map_err(errors::backend)?;
            for row in rows.rows::<ColumnIterator<'_, '_>>().map_err(errors::backend)? {
                take(&mut row.map_err(errors::backend)?)?;
            }
            match next {
                PagingStateResponse::HasMorePages { state: next } => state = next,
                PagingStateResponse::NoMorePages => return Ok(()),
            }
        }
    }
}

/// A limit as CQL takes it; pages are at most [`Page::MAX_LIMIT`] long.
fn limit_of(rows: usize) -> Value<'static> {
    Value::Int(i32::try_from(rows).unwrap_or(i32::MAX))
}
