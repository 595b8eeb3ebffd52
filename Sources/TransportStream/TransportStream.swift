// The TransportStream room.
