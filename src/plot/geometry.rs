//! Rectangles, in CSS pixels.

/// An upright rectangle; `top < bottom`, as on screens.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rect {
    /// Left edge.
    pub left: f64,
    /// Upper edge.
    pub top: f64,
    /// Right edge.
    pub right: f64,
    /// Lower edge.
    pub bottom: f64,
}

impl Rect {
    /// From left to right.
    pub fn width(&self) -> f64 {
        self.right - self.left
    }

    /// From top to bottom.
    pub fn height(&self) -> f64 {
        self.bottom - self.top
    }

    /// Its middle.
    pub fn center(&self) -> (f64, f64) {
        ((self.left + self.right) / 2.0, (self.top + self.bottom) / 2.0)
    }

    /// Whether a point is in it; the right and lower edges are not.
    pub fn contains(&self, (x, y): (f64, f64)) -> bool {
        x >= self.left && x < self.right && y >= self.top && y < self.bottom
    }

    /// The point of it that is nearest to `point`.
    pub fn nearest(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let within = |value: f64, low: f64, high: f64| value.min(high).max(low);
        (within(x, self.left, self.right), within(y, self.top, self.bottom))
    }

    /// The part of it between two x; None when nothing is left.
    pub fn between(&self, left: f64, right: f64) -> Option<Self> {
        let part = Self {
            left: self.left.max(left),
            right: self.right.min(right),
            ..*self
        };
        (part.right > part.left).then_some(part)
    }
}
