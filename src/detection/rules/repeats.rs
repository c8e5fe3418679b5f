//! How often a short violation came again: what repeats is graver. Source: rule catalogue, R2 and R3.

use serde::{Deserialize, Serialize};

use super::scene::Scene;
use crate::model::param::Param;
use crate::model::rule::Level;
use crate::model::time::UtcMs;

/// More are not counted: the largest number from which on it can be an alarm.
const N_MAX: usize = 100;

/// The violations of late, by their moments.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Repeats {
    moments: Vec<UtcMs>,
}

impl Repeats {
    /// One more at `at`: how many there are within the time that was set, and how grave that is.
    pub fn add(&mut self, at: UtcMs, within: Param, alarm_from: Param, scene: &Scene<'_>) -> (usize, Level) {
        let begin = at.plus(-scene.ms(within));
        self.moments.retain(|moment| *moment > begin);
        if self.moments.len() == N_MAX {
            self.moments.remove(0);
        }
        self.moments.push(at);
        let n = self.moments.len();
        #[expect(clippy::cast_precision_loss, reason = "a hundred at most")]
        let level = if n as f64 >= scene.get(alarm_from) { Level::Alarm } else { Level::Warning };
        (n, scene.worth(level))
    }
}
