"""`tidegate serve`: GitHub's webhooks and Slack's buttons in, Prefect runs out."""
