//! Histograms and heatmaps on any `plotters` backend: canvas on screen, SVG for export and tests.
