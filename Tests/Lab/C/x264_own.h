/* The x264 of the headers, loaded beside any other version in the process: an FFmpeg of another Debian has its own. */
#pragma once

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <x264.h>

#define X264_TEXT_(text) #text
#define X264_TEXT(text) X264_TEXT_(text)

static inline void *x264_symbol(const char *name) {
    static void *library;
    if (!library) library = dlopen("libx264.so." X264_TEXT(X264_BUILD), RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
    void *symbol = library ? dlsym(library, name) : NULL;
    if (symbol) return symbol;
    fprintf(stderr, "the lab's x264 cannot be loaded: %s\n", dlerror());
    abort();
}

#define X264(function) ((__typeof__(&function))x264_symbol(X264_TEXT(function)))
