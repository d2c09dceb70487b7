//! Welch's t-test over cropped measurements, as "dude, is my code constant time?" (Reparaz, Balasch, Verbauwhede, 2017) has it.
//!
//! Sixty lines of our own rather than the crate `dudect-bencher`: it brings a command line, a random generator and a report of its own
//! along, and knows neither variants that have to fail nor a second try.

/// One measurement: the class of its input, and nanoseconds.
pub type Sample = (bool, u64);

/// Quantiles above which measurements are left out: what interrupts a program lengthens some of them by far.
const CROPS: [usize; 8] = [100, 99, 97, 95, 90, 80, 70, 50];

/// Samples of a class below which a crop tells nothing.
const FEWEST: f64 = 100.0;

#[derive(Debug, Clone, Copy, Default)]
struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn push(&mut self, value: f64) {
        self.count += 1.0;
        let delta = value - self.mean;
        self.mean += delta / self.count;
        self.squares += delta * (value - self.mean);
    }

    fn variance_of_mean(&self) -> f64 {
        self.squares / (self.count - 1.0) / self.count
    }
}

fn t(samples: &[Sample], limit: u64) -> f64 {
    let mut classes = [Moments::default(); 2];
    for (class, time) in samples.iter().filter(|(_, time)| *time <= limit) {
        classes[usize::from(*class)].push(f64::from(u32::try_from(*time).unwrap_or(u32::MAX)));
    }
    let [fixed, random] = classes;
    if fixed.count < FEWEST || random.count < FEWEST {
        return 0.0;
    }
    let difference = fixed.mean - random.mean;
    let variance = fixed.variance_of_mean() + random.variance_of_mean();
    // All the same in both classes: no difference, or nothing but difference.
    if variance > 0.0 { difference / variance.sqrt() } else { difference * 1e9 }
}

/// The greatest |t| of all crops.
pub fn greatest_t(samples: &[Sample]) -> f64 {
    let mut times: Vec<u64> = samples.iter().map(|(_, time)| *time).collect();
    times.sort_unstable();
    let limit = |percent: usize| times.get(times.len() * percent / 100 - 1).copied();
    CROPS.iter().filter_map(|percent| limit(*percent)).map(|limit| t(samples, limit).abs()).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// t of two samples by the formula, worked out by hand: means 2 and 4, variances 1 and 4, 100 and 300 of each value.
    #[test]
    fn t_is_that_of_the_formula() {
        let fixed = [1, 2, 3].into_iter().flat_map(|value| vec![(false, value); 100]);
        let random = [2, 4, 6].into_iter().flat_map(|value| vec![(true, value); 100]);
        let samples: Vec<Sample> = fixed.chain(random).collect();
        // Squares of 200 and 800 over 299 and 300.
        let expected = -2.0 / (1000.0_f64 / 299.0 / 300.0).sqrt();
        assert!((t(&samples, u64::MAX) - expected).abs() < 1e-9);
    }

    #[test]
    fn too_few_tell_nothing() {
        let samples: Vec<Sample> = (0..99).flat_map(|_| [(false, 1), (true, 1000)]).collect();
        assert!(greatest_t(&samples).abs() < f64::EPSILON);
    }

    /// A difference in the fast half alone, below noise that hides it from the mean of all.
    #[test]
    fn a_crop_shows_what_noise_hides() {
        let mut samples = Vec::new();
        for index in 0..2000_u64 {
            samples.push((index % 2 == 0, 100 + index % 7 + 3 * (index % 2)));
            samples.push((index % 2 == 0, 1_000_000 * (index % 31 + 1)));
        }
        assert!(t(&samples, u64::MAX).abs() < 3.0);
        assert!(greatest_t(&samples) > 10.0);
    }
}
