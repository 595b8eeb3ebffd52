// The DataPath room.
