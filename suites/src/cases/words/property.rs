//! Properties: something holds for whatever proptest makes up, and a counterexample is made small before it is told.
//!
//! proptest's own runner is not asynchronous, so the loop stands here: a value, the experiment, and on a violation
//! simpler values as long as they violate too.

use connectspec_harness::prelude::*;
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

/// Experiments that may be spent on making one counterexample smaller. Each may launch the proxy.
const SHRINKS: usize = 40;

/// Tries `experiment` with as many values of `strategy` as the run asks for. The seed of the run makes it repeatable.
pub(crate) async fn holds_for_all<S: Strategy>(
    lab: &Lab,
    strategy: S,
    experiment: impl AsyncFn(&S::Value) -> Outcome,
) -> Outcome {
    let mut seed = [0; 32];
    Generator::new(lab.seed()).fill(&mut seed);
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    for _ in 0..lab.property_tries() {
        let mut tree = strategy.new_tree(&mut runner).map_err(|reason| {
            Finding::harness(format!("could not make up a value: {}", reason.message()))
        })?;
        if let Err(finding) = experiment(&tree.current()).await {
            return Err(smallest(&mut tree, finding, &experiment).await);
        }
    }
    lab.note(format!("{} tries", lab.property_tries()));
    Ok(())
}

/// The violation by the simplest value that still violates.
async fn smallest<T: ValueTree>(
    tree: &mut T,
    mut finding: Finding,
    experiment: &impl AsyncFn(&T::Value) -> Outcome,
) -> Finding {
    let mut left = SHRINKS;
    while left > 0 && matches!(finding, Finding::Violation { .. }) && tree.simplify() {
        loop {
            left = left.saturating_sub(1);
            match experiment(&tree.current()).await {
                Err(simpler @ Finding::Violation { .. }) => {
                    finding = simpler;
                    break;
                }
                _ if left > 0 && tree.complicate() => {}
                _ => return finding,
            }
        }
    }
    finding
}
