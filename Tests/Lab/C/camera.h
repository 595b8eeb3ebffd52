/* A camera that gives pictures through V4L2's mapped buffers, to the real FFmpeg. */
#ifndef CAMERA_H
#define CAMERA_H

#include <umockdev.h>

struct camera;

/* Answers at a node from now on; a camera that was there before is replaced.
 *
 * modes   FORMAT:WIDTHxHEIGHT@RATE[,...], the first is what it gives unless asked
 * file    the pictures of its MJPG and H264 modes, one after the other; may be NULL */
struct camera *camera_attach(UMockdevTestbed *testbed, const char *node, const char *modes, const char *file, GError **error);

/* What is reset at a USB node is this camera, which works again. */
void camera_attach_usb(UMockdevTestbed *testbed, const char *node, struct camera *camera, GError **error);

/* It was pulled: whoever has it open is told so. */
void camera_pull(struct camera *camera);

/* It gives no pictures any more, or gives them again, and says nothing. */
void camera_freeze(struct camera *camera, int is_frozen);

/* Another program has it, or has it no more. */
void camera_occupy(struct camera *camera, int is_busy);

/* What arrives at its HDMI input; 0 by 0 for nothing. It gives pictures of what arrived when it was last asked to take that. */
void camera_receive(struct camera *camera, unsigned width, unsigned height);

#endif
