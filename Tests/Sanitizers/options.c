/* The options of the sanitizers in the programs that scripts/test links for them. They are in the programs, because the
 * service passes its children only the environment that they need.
 *
 * A finding ends its program, and so the test fails. A driver that crashes must end its probe by the signal. */

/* The lab's libraries are preloaded before the sanitizer. The soak looks for leaks: a sanitizer would have to trace the
 * service, which does not allow it. */
const char *__asan_default_options(void) {
    return "verify_asan_link_order=0:detect_leaks=0:handle_segv=0:handle_abort=0";
}

const char *__tsan_default_options(void) { return "halt_on_error=1:handle_segv=0:handle_abort=0"; }

/* Symbols are without their first letter, `$`, which would end a name here.
 *
 * RawClient: a continuation is resumed before a task waits for it. The runtime orders the two by an atomic that the
 * sanitizer does not see, so it reports a race on the result between the two threads. Of our own code only this
 * client of the tests is affected.
 *
 * SystemRandomNumberGenerator: it has no bytes, and as `inout` no storage of its own: its address is that of a
 * constant. */
const char *__tsan_default_suppressions(void) {
    return "race:s11TestSupport9RawClientC\nrace:s27SystemRandomNumberGeneratorV\n";
}
