#ifndef ALLOCATION_COUNT_H
#define ALLOCATION_COUNT_H

#include <stdint.h>

/// Returns the number of this program's requests for memory so far, on all threads.
uint64_t allocation_count(void);

#endif
