/* What stands in for a driver misbehaves when a file says so. The file is read anew at every question, so that a test can
 * break and mend a driver under a running FFmpeg. A line is
 *
 *   CALL ACTION [after=N] [gpu=MINOR]
 *
 * from the Nth call in a process on, on one GPU or on all. ACTION is a number, a name that the driver knows, or one of
 * hang, crash and sleep=MILLISECONDS. `Limit NAME=N` changes what the device can do. */
#ifndef FAULTS_H
#define FAULTS_H

#define ANY_GPU (-1)

/* Hangs, crashes or sleeps if that is what the file says. 0 when the call should go on, else the action's word. */
const char *fault_of(const char *file, const char *call, int gpu);

/* The number of a limit, or the one given. */
long limit_of(const char *file, const char *name, int gpu, long usual);

#endif
