#include "va.h"

#include <pthread.h>
#include <stddef.h>

enum { MOST = 8192, SHIFT = 24 };

static struct {
    enum kind kind;
    void *object;
} objects[MOST];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* The kind is part of an id, so that one kind is never mistaken for another. */
VAGenericID object_add(enum kind kind, void *object) {
    VAGenericID id = VA_INVALID_ID;
    pthread_mutex_lock(&lock);
    for (unsigned index = 1; index < MOST; index++) {
        if (objects[index].object) continue;
        objects[index].kind = kind;
        objects[index].object = object;
        id = index | (unsigned)kind << SHIFT;
        break;
    }
    pthread_mutex_unlock(&lock);
    return id;
}

static void *look(enum kind kind, VAGenericID id, int is_taken) {
    unsigned index = id & ((1u << SHIFT) - 1);
    void *object = NULL;
    pthread_mutex_lock(&lock);
    if (id >> SHIFT == (unsigned)kind && index < MOST && objects[index].kind == kind) {
        object = objects[index].object;
        if (is_taken) objects[index].object = NULL;
    }
    pthread_mutex_unlock(&lock);
    return object;
}

void *object_find(enum kind kind, VAGenericID id) { return look(kind, id, 0); }
void *object_take(enum kind kind, VAGenericID id) { return look(kind, id, 1); }
