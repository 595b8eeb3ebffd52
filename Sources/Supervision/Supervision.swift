// The Supervision room.
