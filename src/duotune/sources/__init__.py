"""Where source code comes from: folders and Git repositories, as a stream of files."""
