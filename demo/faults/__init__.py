"""What can be wrong with a deployment, one small class each; `registry` lists them all."""
