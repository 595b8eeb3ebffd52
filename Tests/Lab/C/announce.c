/* Sends udev events on the real netlink of its network namespace: more events than umockdev can hold.
 *
 *   announce EVENTS DEVICES MILLISECONDS SEED
 *
 * GPUs and cameras are plugged in, changed and unplugged in a random order, evenly over the time. Then the program
 * prints the last state of each device, one line each: "add|change|remove SYSPATH". */
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { UDEV_GROUP = 2, MOST_DEVICES = 64 };

/* The header of systemd's udev before the properties of a device. Listeners filter by the hash of the subsystem. */
struct header {
    char prefix[8];
    uint32_t magic, size, properties_offset, properties_size, subsystem_hash, type_hash, tags_high, tags_low;
};

/* MurmurHash2 with the seed 0. */
static uint32_t hash(const char *text) {
    const uint32_t factor = 0x5bd1e995;
    uint32_t length = (uint32_t)strlen(text), result = length;
    for (; length >= 4; text += 4, length -= 4) {
        uint32_t word;
        memcpy(&word, text, 4);
        word *= factor;
        word = (word ^ word >> 24) * factor;
        result = result * factor ^ word;
    }
    for (uint32_t index = length; index-- > 0;) result ^= (uint32_t)(uint8_t)text[index] << (8 * index);
    if (length) result *= factor;
    result = (result ^ result >> 13) * factor;
    return result ^ result >> 15;
}

static int announce(
    int netlink, const char *action, const char *path, const char *subsystem, const char *node, unsigned number) {
    struct {
        struct header header;
        char properties[1024];
    } message = {
        {.prefix = "libudev",
         .magic = htonl(0xfeedcafe),
         .size = sizeof(struct header),
         .properties_offset = sizeof(struct header)},
        ""};
    int size = snprintf(
        message.properties, sizeof message.properties, "ACTION=%s%cDEVPATH=%s%cSUBSYSTEM=%s%cDEVNAME=%s%cSEQNUM=%u%c",
        action, 0, path, 0, subsystem, 0, node, 0, number, 0);
    message.header.properties_size = (uint32_t)size;
    message.header.subsystem_hash = htonl(hash(subsystem));
    struct sockaddr_nl to = {.nl_family = AF_NETLINK, .nl_groups = UDEV_GROUP};
    return (int)sendto(netlink, &message, sizeof message.header + (size_t)size, 0, (struct sockaddr *)&to, sizeof to);
}

static uint32_t next(uint32_t *state) {
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

int main(int count, char **words) {
    if (count != 5) return 2;
    int events = atoi(words[1]), devices = atoi(words[2]), milliseconds = atoi(words[3]);
    uint32_t random = (uint32_t)atoi(words[4]);
    const char *last[MOST_DEVICES] = {NULL};
    if (devices < 1 || devices > MOST_DEVICES) return 2;
    int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
    struct sockaddr_nl own = {.nl_family = AF_NETLINK};
    if (netlink < 0 || bind(netlink, (struct sockaddr *)&own, sizeof own) < 0) return 1;
    char path[256], node[64];
    for (int number = 1; number <= events; number++) {
        int device = (int)(next(&random) % (uint32_t)devices), is_gpu = device % 2;
        int is_there = last[device] && strcmp(last[device], "remove");
        last[device] = !is_there ? "add" : next(&random) % 2 ? "change" : "remove";
        snprintf(path, sizeof path, "/devices/storm/%s/%d", is_gpu ? "drm" : "video4linux", device);
        snprintf(node, sizeof node, "/dev/%s%d", is_gpu ? "dri/renderD" : "video", device);
        if (announce(netlink, last[device], path, is_gpu ? "drm" : "video4linux", node, (unsigned)number) < 0) return 1;
        usleep((useconds_t)(1000 * milliseconds / events));
    }
    for (int device = 0; device < devices; device++)
        if (last[device])
            printf("%s /sys/devices/storm/%s/%d\n", last[device], device % 2 ? "drm" : "video4linux", device);
    return 0;
}
