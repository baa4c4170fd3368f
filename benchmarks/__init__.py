"""What otelobj costs, as ratios against a plain build or an empty call in the same run. Tests never assert on time."""
