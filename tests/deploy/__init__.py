"""What is shipped to run the pipeline: image, compose, Kubernetes, pages about it."""
