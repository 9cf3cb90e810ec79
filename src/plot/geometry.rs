//! Rectangles and linear scales, in CSS pixels.

/// An upright rectangle; `top < bottom`, as on screens.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Rect {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

impl Rect {
    pub fn width(&self) -> f64 {
        self.right - self.left
    }

    pub fn height(&self) -> f64 {
        self.bottom - self.top
    }

    pub fn center(&self) -> (f64, f64) {
        ((self.left + self.right) / 2.0, (self.top + self.bottom) / 2.0)
    }

    pub fn contains(&self, (x, y): (f64, f64)) -> bool {
        x >= self.left && x < self.right && y >= self.top && y < self.bottom
    }
}

/// A linear map from values to pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    /// Values at both ends.
    pub values: (f64, f64),
    /// Pixels at both ends.
    pub pixels: (f64, f64),
}

impl Scale {
    pub fn pixel(&self, value: f64) -> f64 {
        let part = (value - self.values.0) / (self.values.1 - self.values.0);
        self.pixels.0 + part * (self.pixels.1 - self.pixels.0)
    }

    pub fn value(&self, pixel: f64) -> f64 {
        let part = (pixel - self.pixels.0) / (self.pixels.1 - self.pixels.0);
        self.values.0 + part * (self.values.1 - self.values.0)
    }
}
