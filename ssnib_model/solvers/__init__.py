"""How the equations are solved."""
