/* How the sanitizers behave in the programs that scripts/test links for them. It is in the programs, since the service gives its
 * children no more of the environment than they need.
 *
 * A finding ends the program that has it, and with it the test. A driver that crashes is to end its probe by the signal. */

/* The laboratory's devices are preloaded before the sanitizer. Leaks are looked for by the soak: a sanitizer would have to trace the
 * service, which lets nobody do that. */
const char *__asan_default_options(void) { return "verify_asan_link_order=0:detect_leaks=0:handle_segv=0:handle_abort=0"; }

const char *__tsan_default_options(void) { return "halt_on_error=1:handle_segv=0:handle_abort=0"; }

/* Symbols are without their first letter, which would be the end of a name here.
 *
 * RawClient: a continuation that is resumed before anybody waits for it. The runtime orders the two by an atomic that the sanitizer does
 * not see, and what was made on the one thread is told as raced for by the other. Of our own code that is this client of the tests alone.
 *
 * SystemRandomNumberGenerator: it has no bytes, and passed as `inout` no place of its own: the address is that of a constant. */
const char *__tsan_default_suppressions(void) { return "race:s11TestSupport9RawClientC\nrace:s27SystemRandomNumberGeneratorV\n"; }
