/* Faults of the simulated drivers, from a file. A driver reads the file at every call, so that a test can break and
 * repair it under a running FFmpeg. A line is
 *
 *   CALL ACTION [after=N] [gpu=MINOR]
 *
 * It applies after the first N calls in a process, on one GPU or on all. ACTION is a number, a name that the driver
 * knows, or one of hang, crash and sleep=MILLISECONDS. `Limit NAME=N` sets a limit of the device. */
#ifndef FAULTS_H
#define FAULTS_H

#define ANY_GPU (-1)

/* Hangs, crashes or sleeps if the file says so. Returns NULL if the call should succeed, else the action's word. */
const char *fault_of(const char *file, const char *call, int gpu);

/* Returns the number of a limit, or `usual` if the file has none. */
long limit_of(const char *file, const char *name, int gpu, long usual);

#endif
