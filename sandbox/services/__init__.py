"""The services outside that a bare machine cannot have, simulated on loopback: each says so in its answers."""
