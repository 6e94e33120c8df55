"""The pages people review decisions on: server-rendered, no outside host, no inline script or style."""
