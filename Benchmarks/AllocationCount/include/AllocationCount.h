#ifndef ALLOCATION_COUNT_H
#define ALLOCATION_COUNT_H

#include <stdint.h>

/// How often this program has asked for memory so far, on all threads.
uint64_t allocation_count(void);

#endif
