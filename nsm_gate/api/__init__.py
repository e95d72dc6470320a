"""What `import nsm_gate` offers to Python programs; each part is imported when it is first asked for."""
