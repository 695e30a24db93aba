"""Reports for people: queries, charts, tables, text and pages over marts, scores and outbox. Read only."""
