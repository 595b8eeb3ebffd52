/* Preloaded before umockdev's own library. libva checks with fstat() whether a descriptor is a render node.
 * umockdev before 0.19.3 answers only for paths, so a simulated node looks like the plain file that it is. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Reads a link without umockdev's redirection. */
static int link_of(const char *path, char *text, size_t size) {
    long count = syscall(SYS_readlinkat, -100 /* AT_FDCWD */, path, text, size - 1);
    if (count < 0) return 0;
    text[count] = 0;
    return 1;
}

static void correct(int descriptor, struct stat *info) {
    const char *root = getenv("UMOCKDEV_DIR");
    char path[64], file[4096], entry[8192], number[64];
    unsigned major, minor;
    if (!root || !S_ISREG(info->st_mode)) return;
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    size_t length = strlen(root);
    if (!link_of(path, file, sizeof file) || strncmp(file, root, length) || strncmp(file + length, "/dev/", 5)) return;
    char *name = file + length + 5;
    /* The device was unplugged while it was open. */
    char *end = strstr(name, " (deleted)");
    if (end) *end = 0;
    for (char *letter = name; *letter; letter++)
        if (*letter == '/') *letter = '_';
    snprintf(entry, sizeof entry, "%s/dev/.node/%s", root, name);
    if (!link_of(entry, number, sizeof number) || sscanf(number, "%u:%u", &major, &minor) != 2) return;
    info->st_mode = (info->st_mode & 07777) | S_IFCHR;
    info->st_rdev = makedev(major, minor);
}

/* libdrm is built for large files. */
int fstat64(int descriptor, struct stat64 *info) {
    static int (*real)(int, struct stat64 *);
    if (!real) real = (int (*)(int, struct stat64 *))dlsym(RTLD_NEXT, "fstat64");
    int result = real(descriptor, info);
    int code = errno;
    _Static_assert(sizeof(struct stat) == sizeof(struct stat64), "both are the same on 64-bit machines");
    if (result == 0) correct(descriptor, (struct stat *)info);
    errno = code;
    return result;
}

int fstat(int descriptor, struct stat *info) {
    static int (*real)(int, struct stat *);
    if (!real) real = (int (*)(int, struct stat *))dlsym(RTLD_NEXT, "fstat");
    int result = real(descriptor, info);
    int code = errno;
    if (result == 0) correct(descriptor, info);
    errno = code;
    return result;
}
