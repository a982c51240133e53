"""Reports: what was recorded in a period, to be handed over as a page, a PDF or a workbook.

One definition and one period make one document, which all three are written from
(docs/decisions/0043). Knows figures, but no page of the site.
"""
