// Included ahead of the SQLite driver's own source (setup.mjs). Since Node.js 24.19 the class ObjectWrap registers a
// clean-up hook for each object and removes it with the object, and where the garbage collector runs between two
// microtasks, the removal aborts the process (nodejs/node#65446). Without the two calls it is what it was before.
#include <node.h>

#define AddEnvironmentCleanupHook(...) static_cast<void>(0)
#define RemoveEnvironmentCleanupHook(...) static_cast<void>(0)
#include <node_object_wrap.h>
#undef AddEnvironmentCleanupHook
#undef RemoveEnvironmentCleanupHook
