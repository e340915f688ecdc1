"""Pull and merge requests: comments and issues about plans on GitHub and GitLab. Knows HTTP, no plans and no kinds."""
