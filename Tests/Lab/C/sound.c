/* Simulated ALSA sound cards: `hw:N` delivers audio as long as the folder ALSA_LAB has a file cardN. Its first line
 * says how fast the clock of the card is, in parts per million. A click of 20 ms begins at each true second. */
#include <alsa/asoundlib.h>
#include <alsa/pcm_external.h>
#include <math.h>
#include <sys/timerfd.h>
#include <time.h>

enum { RATE = 48000, CHANNELS = 2, PERIOD = 480 };

struct card {
    snd_pcm_ioplug_t io;
    char path[4096];
    double rate;
    /* The true time in nanoseconds when the card was started, and the frames that were read since. */
    int64_t start;
    uint64_t taken;
};

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* Reads the file of the card each time, because it may be unplugged at any time. */
static int look(struct card *card) {
    char line[64] = "";
    FILE *file = fopen(card->path, "re");
    if (!file) return -ENODEV;
    if (!fgets(line, sizeof line, file)) line[0] = 0;
    fclose(file);
    card->rate = RATE * (1 + atof(line) / 1e6);
    return 0;
}

/* ALSA treats a pointer that fails as an overrun, and prepares the card again. */
static int card_prepare(snd_pcm_ioplug_t *io) { return look(io->private_data); }

static int card_start(snd_pcm_ioplug_t *io) {
    struct card *card = io->private_data;
    struct itimerspec ticks = {{0, 5000000}, {0, 5000000}};
    card->start = now();
    card->taken = 0;
    return timerfd_settime(io->poll_fd, 0, &ticks, NULL) < 0 ? -errno : 0;
}

static int card_stop(snd_pcm_ioplug_t *io) {
    struct itimerspec none = {{0, 0}, {0, 0}};
    return timerfd_settime(io->poll_fd, 0, &none, NULL) < 0 ? -errno : 0;
}

static snd_pcm_sframes_t card_pointer(snd_pcm_ioplug_t *io) {
    struct card *card = io->private_data;
    double rate = card->rate;
    if (look(card) < 0) return -ENODEV;
    card->rate = rate;
    uint64_t given = (uint64_t)((double)(now() - card->start) * 1e-9 * rate);
    if (given - card->taken > io->buffer_size) return -EPIPE;
    return (snd_pcm_sframes_t)(given % io->buffer_size);
}

static snd_pcm_sframes_t card_transfer(
    snd_pcm_ioplug_t *io, const snd_pcm_channel_area_t *areas, snd_pcm_uframes_t offset, snd_pcm_uframes_t size) {
    struct card *card = io->private_data;
    for (snd_pcm_uframes_t i = 0; i < size; i++) {
        double world = fmod((double)(card->start % 1000000000) * 1e-9 + (double)(card->taken + i) / card->rate, 1);
        int16_t sample = world < 0.02 ? (int16_t)(20000 * sin(world * 2 * M_PI * 1000)) : 0;
        for (unsigned c = 0; c < io->channels; c++)
            *(int16_t *)((char *)areas[c].addr + (areas[c].first + areas[c].step * (offset + i)) / 8) = sample;
    }
    card->taken += size;
    return (snd_pcm_sframes_t)size;
}

static int card_revents(snd_pcm_ioplug_t *io, struct pollfd *ends, unsigned count, unsigned short *events) {
    uint64_t ticks;
    *events = count == 1 && ends->revents && read(io->poll_fd, &ticks, sizeof ticks) > 0 ? POLLIN : 0;
    return 0;
}

static int card_close(snd_pcm_ioplug_t *io) {
    close(io->poll_fd);
    free(io->private_data);
    return 0;
}

static const snd_pcm_ioplug_callback_t calls = {
    .start = card_start,
    .stop = card_stop,
    .prepare = card_prepare,
    .pointer = card_pointer,
    .transfer = card_transfer,
    .poll_revents = card_revents,
    .close = card_close,
};

static int limit(snd_pcm_ioplug_t *io) {
    static const unsigned access[] = {SND_PCM_ACCESS_RW_INTERLEAVED}, format[] = {SND_PCM_FORMAT_S16_LE};
    int code = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_ACCESS, 1, access);
    if (code >= 0) code = snd_pcm_ioplug_set_param_list(io, SND_PCM_IOPLUG_HW_FORMAT, 1, format);
    if (code >= 0) code = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_CHANNELS, CHANNELS, CHANNELS);
    if (code >= 0) code = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_RATE, RATE, RATE);
    if (code >= 0) code = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_PERIOD_BYTES, PERIOD * 4, PERIOD * 4);
    if (code >= 0) code = snd_pcm_ioplug_set_param_minmax(io, SND_PCM_IOPLUG_HW_PERIODS, 2, 100);
    return code;
}

SND_PCM_PLUGIN_DEFINE_FUNC(lab) {
    (void)root;
    const char *number = "", *folder = getenv("ALSA_LAB");
    snd_config_iterator_t at, next;
    snd_config_for_each(at, next, conf) {
        snd_config_t *entry = snd_config_iterator_entry(at);
        const char *id;
        if (snd_config_get_id(entry, &id) >= 0 && !strcmp(id, "card")) snd_config_get_string(entry, &number);
    }
    struct card *card = calloc(1, sizeof *card);
    if (!card) return -ENOMEM;
    snprintf(card->path, sizeof card->path, "%s/card%s", folder ? folder : "", number);
    int code = stream == SND_PCM_STREAM_CAPTURE ? look(card) : -ENOENT;
    if (code < 0) {
        free(card);
        return code;
    }
    card->io.version = SND_PCM_IOPLUG_VERSION;
    card->io.name = "a card of the lab";
    card->io.mmap_rw = 0;
    card->io.callback = &calls;
    card->io.private_data = card;
    card->io.poll_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    card->io.poll_events = POLLIN;
    code = snd_pcm_ioplug_create(&card->io, name, stream, mode);
    if (code >= 0 && (code = limit(&card->io)) < 0) snd_pcm_ioplug_delete(&card->io);
    if (code >= 0) *pcmp = card->io.pcm;
    return code;
}
SND_PCM_PLUGIN_SYMBOL(lab);
