#include "faults.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct line {
    char call[32], action[32];
    long after;
    int gpu;
};

static int read_line(FILE *file, struct line *line) {
    char text[256];
    while (fgets(text, sizeof text, file)) {
        line->after = 0;
        line->gpu = ANY_GPU;
        if (sscanf(text, "%31s %31s", line->call, line->action) != 2) continue;
        const char *after = strstr(text, " after="), *gpu = strstr(text, " gpu=");
        if (after) line->after = atol(after + 7);
        if (gpu) line->gpu = atoi(gpu + 5);
        return 1;
    }
    return 0;
}

/* Counts the calls of a kind in this process, including this one. */
static long count(const char *call) {
    static struct {
        char call[32];
        long count;
    } counts[32];
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    long result = 0;
    pthread_mutex_lock(&lock);
    for (unsigned index = 0; index < sizeof counts / sizeof *counts; index++) {
        if (!counts[index].call[0]) snprintf(counts[index].call, sizeof counts[index].call, "%s", call);
        if (strcmp(counts[index].call, call)) continue;
        result = ++counts[index].count;
        break;
    }
    pthread_mutex_unlock(&lock);
    return result;
}

const char *fault_of(const char *file, const char *call, int gpu) {
    static _Thread_local struct line line;
    long calls = count(call);
    FILE *list = file ? fopen(file, "re") : NULL;
    int found = 0;
    while (list && !found && read_line(list, &line))
        found = !strcmp(line.call, call) && calls > line.after && (line.gpu == ANY_GPU || line.gpu == gpu);
    if (list) fclose(list);
    if (!found) return NULL;
    while (!strcmp(line.action, "hang")) pause();
    if (!strcmp(line.action, "crash")) raise(SIGSEGV);
    if (!strncmp(line.action, "sleep=", 6)) {
        usleep((useconds_t)atol(line.action + 6) * 1000);
        return NULL;
    }
    return line.action;
}

long limit_of(const char *file, const char *name, int gpu, long usual) {
    struct line line;
    FILE *list = file ? fopen(file, "re") : NULL;
    size_t length = strlen(name);
    while (list && read_line(list, &line)) {
        if (strcmp(line.call, "Limit") || strncmp(line.action, name, length) || line.action[length] != '=') continue;
        if (line.gpu != ANY_GPU && line.gpu != gpu) continue;
        usual = atol(line.action + length + 1);
        break;
    }
    if (list) fclose(list);
    return usual;
}
