//! The coalescer on a counting database, under many interleavings of its tasks.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures_util::{future::join_all, poll};
use shuttle::{check_random, future::block_on};
use tokio::sync::Semaphore;

use super::*;

/// The number of random schedules of each test.
const SCHEDULES: usize = 500;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Refused {
    undone: bool,
}

impl StatementError for Refused {
    fn is_undone(&self) -> bool {
        self.undone
    }

    fn may_be_repeated(&self) -> bool {
        false
    }
}

/// What the fake database does with an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    Succeed,
    /// Cannot share a statement.
    RunAlone,
    /// Cannot share a statement, and waits for a lock.
    Wait,
    /// Fails every statement that has it, and the database undoes the statement.
    FailUndone,
    /// Fails every statement that has it, with an unknown outcome.
    FailUnknown,
    Panic,
}

#[derive(Debug, Clone, Copy)]
struct Item {
    row: usize,
    effect: Effect,
}

fn item(row: usize) -> Item {
    Item { row, effect: Effect::Succeed }
}

/// A database that counts: what it executed, and how many statements run at the same time.
#[derive(Default)]
struct Database {
    statements: Mutex<Vec<Vec<usize>>>,
    running: AtomicUsize,
    most_running: AtomicUsize,
    /// While this is true, items with [`Effect::Wait`] wait.
    is_locked: AtomicBool,
}

struct Rows(Arc<Database>);

impl Rows {
    async fn execute(&self, items: &[Item]) -> Result<(), Refused> {
        let running = 1 + self.0.running.fetch_add(1, Ordering::SeqCst);
        self.0.most_running.fetch_max(running, Ordering::SeqCst);
        yield_now().await;
        let waits = items.iter().any(|item| item.effect == Effect::Wait);
        while waits && self.0.is_locked.load(Ordering::SeqCst) {
            yield_now().await;
        }
        self.0.running.fetch_sub(1, Ordering::SeqCst);
        let has = |effect| items.iter().any(|item| item.effect == effect);
        assert!(!has(Effect::Panic), "a bug in a statement");
        if has(Effect::FailUndone) || has(Effect::FailUnknown) {
            return Err(Refused { undone: !has(Effect::FailUnknown) });
        }
        self.0.statements.lock().unwrap().push(items.iter().map(|item| item.row).collect());
        Ok(())
    }
}

impl Batch for Rows {
    type Item = Item;
    type Output = usize;
    type Error = Refused;

    const OPERATION: &'static str = "test";

    fn joins(items: &[Item], next: &Item) -> bool {
        items.iter().all(|item| item.row != next.row)
    }

    async fn run_together(&self, items: &[Item]) -> Result<Vec<Option<usize>>, Refused> {
        let shares = |item: &Item| !matches!(item.effect, Effect::RunAlone | Effect::Wait);
        let shared: Vec<_> = items.iter().copied().filter(shares).collect();
        self.execute(&shared).await?;
        Ok(items.iter().map(|item| shares(item).then_some(item.row)).collect())
    }

    async fn run_alone(&self, item: &Item) -> Result<usize, Refused> {
        self.execute(std::slice::from_ref(item)).await.map(|()| item.row)
    }
}

fn limits() -> Limits {
    let beside = Arc::new(Semaphore::new(2));
    Limits { lanes: 2, lane_time: Some(Duration::ZERO), beside, items: 3, depth: 100, wait: Duration::from_secs(60) }
}

fn coalescer(limits: Limits) -> (Arc<Coalescer<Rows>>, Arc<Database>) {
    let database = Arc::new(Database::default());
    (Arc::new(Coalescer::new(Rows(database.clone()), limits)), database)
}

/// Calls the coalescer with each item, in a task per item.
async fn call_all(
    coalescer: &Arc<Coalescer<Rows>>,
    items: impl IntoIterator<Item = Item>,
) -> Vec<Result<usize, CallError<Refused>>> {
    let tasks = items.into_iter().map(|item| {
        let coalescer = coalescer.clone();
        spawn(async move { coalescer.call(item).await })
    });
    join_all(tasks.collect::<Vec<_>>()).await.into_iter().map(|result| result.unwrap()).collect()
}

/// Every item is executed exactly once, and its caller receives its own result, whatever the schedule.
#[test]
fn each_item_runs_once_within_the_bounds() {
    let body = || {
        block_on(async {
            let (coalescer, database) = coalescer(limits());
            let results = call_all(&coalescer, (0..8).map(item)).await;
            assert_eq!(results, (0..8).map(Ok).collect::<Vec<_>>());
            let statements = database.statements.lock().unwrap().clone();
            assert!(statements.iter().all(|rows| rows.len() <= limits().items), "{statements:?}");
            let mut rows = statements.concat();
            rows.sort_unstable();
            assert_eq!(rows, (0..8).collect::<Vec<_>>());
            assert!(database.most_running.load(Ordering::SeqCst) <= 4, "two lanes, and two statements beside them");
            assert!(coalescer.0.queue(|queue| queue.entries.is_empty()));
        });
    };
    check_random(body, SCHEDULES);
}

/// Two writes of one row are in two statements, in the order of their arrival.
#[test]
fn a_statement_has_at_most_one_item_per_row() {
    let body = || {
        block_on(async {
            let (coalescer, database) = coalescer(Limits { lanes: 1, ..limits() });
            let results = call_all(&coalescer, [0, 0, 1, 0, 1].map(item)).await;
            assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 5);
            for rows in &*database.statements.lock().unwrap() {
                assert!(rows.len() < 2 || rows[0] != rows[1], "{rows:?}");
            }
        });
    };
    check_random(body, SCHEDULES);
}

/// One item that fails, or that has to run alone, does not fail its neighbours. An unknown outcome is not repeated.
#[test]
fn an_error_reaches_exactly_the_items_of_its_statement() {
    for effect in [Effect::RunAlone, Effect::FailUndone, Effect::FailUnknown] {
        let body = move || {
            block_on(async move {
                let (coalescer, database) = coalescer(limits());
                let items = (0..6).map(|row| Item { row, effect: if row == 2 { effect } else { Effect::Succeed } });
                let results = call_all(&coalescer, items).await;
                let executed = database.statements.lock().unwrap().concat();
                for (row, result) in results.into_iter().enumerate() {
                    assert_eq!(result.is_ok(), executed.contains(&row), "{row}: {result:?}");
                    match (effect, row) {
                        (Effect::FailUndone, 2) => {
                            assert_eq!(result, Err(CallError::Failed(Refused { undone: true })));
                        }
                        (Effect::FailUnknown, 2) => {
                            assert_eq!(result, Err(CallError::Failed(Refused { undone: false })));
                        }
                        // It may have shared the statement whose outcome is unknown.
                        (Effect::FailUnknown, _) => {}
                        _ => assert_eq!(result, Ok(row)),
                    }
                }
            });
        };
        check_random(body, SCHEDULES);
    }
}

/// Items that wait for a lock do not keep the others waiting.
#[test]
fn items_that_wait_for_a_lock_do_not_hold_the_lanes() {
    let body = || {
        block_on(async {
            let (coalescer, database) = coalescer(limits());
            database.is_locked.store(true, Ordering::SeqCst);
            let waiting = (0..2).map(|row| {
                let coalescer = coalescer.clone();
                spawn(async move { coalescer.call(Item { row, effect: Effect::Wait }).await })
            });
            let waiting: Vec<_> = waiting.collect();
            for row in 2..6 {
                assert_eq!(call_all(&coalescer, [item(row), item(row + 10)]).await, [Ok(row), Ok(row + 10)]);
            }
            database.is_locked.store(false, Ordering::SeqCst);
            assert_eq!(join_all(waiting).await.into_iter().map(Result::unwrap).collect::<Vec<_>>(), [Ok(0), Ok(1)]);
        });
    };
    check_random(body, SCHEDULES);
}

/// A caller that goes away takes no other item with it. Its own item runs as a whole or not at all.
#[test]
fn a_canceled_caller_does_not_affect_the_others() {
    let body = || {
        block_on(async {
            let (coalescer, database) = coalescer(limits());
            let canceled = {
                let coalescer = coalescer.clone();
                spawn(async move {
                    let call = std::pin::pin!(coalescer.call(item(9)));
                    assert!(poll!(call).is_pending());
                    yield_now().await;
                })
            };
            let results = call_all(&coalescer, (0..4).map(item)).await;
            canceled.await.unwrap();
            assert_eq!(results, (0..4).map(Ok).collect::<Vec<_>>());
            let rows = database.statements.lock().unwrap().concat();
            assert!(rows.iter().filter(|row| **row == 9).count() <= 1, "{rows:?}");
        });
    };
    check_random(body, SCHEDULES);
}

/// Past its depth the queue refuses, and what it accepted still runs.
#[test]
fn a_full_queue_refuses() {
    let body = || {
        block_on(async {
            let (coalescer, database) = coalescer(Limits { lanes: 1, items: 1, depth: 2, ..limits() });
            let results = call_all(&coalescer, (0..6).map(item)).await;
            let refused = results.iter().filter(|result| **result == Err(CallError::Overloaded)).count();
            let executed = database.statements.lock().unwrap().len();
            assert_eq!(executed + refused, 6, "{results:?}");
            assert!(executed >= 2);
            assert_eq!(call_all(&coalescer, [item(7)]).await, [Ok(7)]);
        });
    };
    check_random(body, SCHEDULES);
}

/// Items whose statement does not start in time are refused, also while no statement ends.
#[test]
fn items_that_wait_too_long_are_refused() {
    let body = || {
        block_on(async {
            let (coalescer, database) = coalescer(Limits { wait: Duration::ZERO, ..limits() });
            assert_eq!(call_all(&coalescer, (0..6).map(item)).await, [const { Err(CallError::Overloaded) }; 6]);
            assert!(database.statements.lock().unwrap().is_empty());
        });
    };
    check_random(body, SCHEDULES);
}

/// An item waits at most for the items before it: later arrivals cannot overtake it indefinitely.
#[test]
fn the_queue_is_first_in_first_out() {
    let body = || {
        block_on(async {
            let (coalescer, database) = coalescer(Limits { lanes: 1, lane_time: None, items: 2, ..limits() });
            // Polled in this order, so that this is the order of arrival.
            let mut waiting = vec![0, 0, 1, 2, 3];
            let calls: Vec<_> = waiting.iter().map(|row| Box::pin(coalescer.call(item(*row)))).collect();
            assert_eq!(join_all(calls).await, [Ok(0), Ok(0), Ok(1), Ok(2), Ok(3)]);
            for rows in &*database.statements.lock().unwrap() {
                assert_eq!(rows[0], waiting[0], "{rows:?} before {waiting:?}");
                for row in rows {
                    waiting.remove(waiting.iter().position(|waits| waits == row).unwrap());
                }
            }
        });
    };
    check_random(body, SCHEDULES);
}

/// A panic in a statement fails its items and no others, and the lane continues.
#[test]
fn a_panic_fails_one_statement() {
    let body = || {
        block_on(async {
            let (coalescer, _) = coalescer(limits());
            let panics = Item { row: 0, effect: Effect::Panic };
            assert_eq!(call_all(&coalescer, [panics]).await, [Err(CallError::Panicked)]);
            assert_eq!(call_all(&coalescer, [item(1), item(2)]).await, [Ok(1), Ok(2)]);
        });
    };
    check_random(body, 100);
}

/// An idle coalescer runs an item at once, without waiting for others.
#[test]
fn an_idle_coalescer_adds_no_wait() {
    let body = || {
        block_on(async {
            let (coalescer, database) = coalescer(limits());
            for row in 0..3 {
                assert_eq!(coalescer.call(item(row)).await, Ok(row));
            }
            assert_eq!(*database.statements.lock().unwrap(), [[0], [1], [2]]);
        });
    };
    check_random(body, 100);
}
