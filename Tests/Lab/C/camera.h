/* A camera that delivers frames to the real FFmpeg through mapped buffers of V4L2. */
#ifndef CAMERA_H
#define CAMERA_H

#include <umockdev.h>

struct camera;

/* Attaches a camera to a node, in place of any camera before.
 *
 * modes   FORMAT:WIDTHxHEIGHT@RATE[,...]; the first is the default
 * file    the frames of its MJPG and H264 modes, one after the other; may be NULL */
struct camera *camera_attach(
    UMockdevTestbed *testbed, const char *node, const char *modes, const char *file, GError **error);

/* Attaches a camera to a USB node. A reset there repairs the camera. */
void camera_attach_usb(UMockdevTestbed *testbed, const char *node, struct camera *camera, GError **error);

/* Unplugs the camera: programs that have it open get ENODEV. */
void camera_pull(struct camera *camera);

/* Freezes the camera, so that it silently delivers no frames; or undoes that. */
void camera_freeze(struct camera *camera, int is_frozen);

/* Lets another program use the camera, or undoes that. */
void camera_occupy(struct camera *camera, int is_busy);

/* Sets the signal at its HDMI input; 0 by 0 for none. The camera delivers frames only while the signal is the one
 * that it was last configured for. */
void camera_receive(struct camera *camera, unsigned width, unsigned height);

#endif
