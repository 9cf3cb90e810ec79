//! The entries of the export menu.

/// The entries of the menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    SavePng,
    SaveSvg,
    CopyPicture,
    SavePage,
    /// Identifier and title of the table.
    SaveCsv(&'static str, &'static str),
    CopyMarkdown,
    SaveMarkdown,
    CopyPython,
    SavePython,
    SaveResult,
    CopyCitation,
    CopyBibtex,
}

impl Action {
    /// Value of `data-testid`.
    pub(super) fn id(self) -> String {
        match self {
            Self::SavePng => "png".into(),
            Self::SaveSvg => "svg".into(),
            Self::CopyPicture => "copy-picture".into(),
            Self::SavePage => "page".into(),
            Self::SaveCsv(table, _) => format!("csv-{table}"),
            Self::CopyMarkdown => "copy-markdown".into(),
            Self::SaveMarkdown => "markdown".into(),
            Self::CopyPython => "copy-python".into(),
            Self::SavePython => "python".into(),
            Self::SaveResult => "result".into(),
            Self::CopyCitation => "copy-citation".into(),
            Self::CopyBibtex => "copy-bibtex".into(),
        }
    }

    pub(super) fn label(self) -> &'static str {
        match self {
            Self::SavePng => "PNG (2\u{d7})",
            Self::SaveSvg => "SVG",
            Self::CopyPicture => "Copy picture",
            Self::SavePage => "Web page, one file",
            Self::SaveCsv(_, label) => label,
            Self::CopyMarkdown => "Copy tables",
            Self::SaveMarkdown => "Save tables",
            Self::CopyPython => "Copy script",
            Self::SavePython => "Save script",
            Self::SaveResult => "Save result (JSON)",
            Self::CopyCitation => "Copy citation",
            Self::CopyBibtex => "Copy BibTeX",
        }
    }

    /// Whether the action reads the pixels of a canvas.
    pub(super) fn is_of_pixels(self) -> bool {
        matches!(self, Self::SavePng | Self::CopyPicture)
    }

    /// Whether the action needs the complete result, which does not exist while a run is in progress.
    pub(super) fn needs_all(self) -> bool {
        matches!(
            self,
            Self::CopyPython | Self::SavePython | Self::SaveResult | Self::CopyCitation | Self::CopyBibtex
        )
    }
}

/// Identifier and title of a table.
pub(super) type Offered = (&'static str, &'static str);

/// The groups of the menu: title and actions.
pub(super) fn groups(tables: &[Offered]) -> Vec<(&'static str, Vec<Action>)> {
    let csv = tables.iter().map(|(name, label)| Action::SaveCsv(name, label));
    vec![
        (
            "Picture",
            vec![Action::SavePng, Action::SaveSvg, Action::CopyPicture, Action::SavePage],
        ),
        ("CSV", csv.collect()),
        ("Markdown", vec![Action::CopyMarkdown, Action::SaveMarkdown]),
        ("Open in Python", vec![Action::CopyPython, Action::SavePython]),
        (
            "Result, and how to cite it",
            vec![Action::SaveResult, Action::CopyCitation, Action::CopyBibtex],
        ),
    ]
}
