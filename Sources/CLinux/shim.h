// Linux functions that Swift's Glibc module leaves out. _GNU_SOURCE cannot be set here, because types that this header
// shares with the Glibc module would differ. The few GNU declarations are therefore repeated here.
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/vfs.h>

#include <linux/videodev2.h>

int pipe2(int ends[2], int flags);
int memfd_create(const char *name, unsigned int flags);
enum { MFD_CLOEXEC = 1 };
int accept4(int descriptor, struct sockaddr *address, socklen_t *size, int flags);

ssize_t vmsplice(int descriptor, const struct iovec *vectors, size_t count, unsigned int flags);
ssize_t splice(int in, off_t *in_offset, int out, off_t *out_offset, size_t count, unsigned int flags);
enum { SPLICE_F_NONBLOCK = 2 };

// linux/fcntl.h
enum { F_SETPIPE_SZ = 1031, F_GETPIPE_SZ = 1032 };

// Whether a folder is in memory (tmpfs, ramfs; numbers of linux/magic.h). 0 if it does not exist.
static inline int is_in_memory(const char *folder) {
    struct statfs about;
    if (statfs(folder, &about) != 0) return 0;
    return (unsigned long)about.f_type == 0x01021994UL || (unsigned long)about.f_type == 0x858458f6UL;
}

// Swift does not import functions with a variable number of arguments.
static inline int set_dumpable(unsigned long value) { return prctl(PR_SET_DUMPABLE, value, 0, 0, 0); }

// Macros that Swift does not import, because they are expressions.
static const unsigned long v4l2_ask_capability = VIDIOC_QUERYCAP;
static const unsigned long v4l2_ask_format = VIDIOC_ENUM_FMT;
static const unsigned long v4l2_ask_frame_size = VIDIOC_ENUM_FRAMESIZES;
static const unsigned long v4l2_subscribe_event = VIDIOC_SUBSCRIBE_EVENT;
static const unsigned long v4l2_take_event = VIDIOC_DQEVENT;
static const unsigned long v4l2_ask_input = VIDIOC_G_INPUT;
static const unsigned long v4l2_ask_input_status = VIDIOC_ENUMINPUT;
static const unsigned long v4l2_ask_arriving_timings = VIDIOC_QUERY_DV_TIMINGS;
static const unsigned long v4l2_ask_picture = VIDIOC_G_FMT;
static const unsigned long v4l2_try_picture = VIDIOC_TRY_FMT;
static const unsigned long v4l2_ask_pace = VIDIOC_G_PARM;
static const unsigned long v4l2_ask_timings = VIDIOC_G_DV_TIMINGS;
static const unsigned long v4l2_set_timings = VIDIOC_S_DV_TIMINGS;
static const unsigned long v4l2_ask_frame_interval = VIDIOC_ENUM_FRAMEINTERVALS;
