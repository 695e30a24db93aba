"""What people read: charts and pages made from the marts, the scores and the outbox. Read only."""
