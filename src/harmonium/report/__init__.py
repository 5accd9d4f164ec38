"""The report page of a study: blocks of content in, one self-contained HTML file and its numbers out."""

from harmonium.report.blocks import Block, Figure, Note, Report, Section, Table, Text, Verdict, escape
from harmonium.report.page import write_numbers, write_report

__all__ = [
    "Block",
    "Figure",
    "Note",
    "Report",
    "Section",
    "Table",
    "Text",
    "Verdict",
    "escape",
    "write_numbers",
    "write_report",
]
