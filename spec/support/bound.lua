--- Seconds that bound a wait for what comes in a moment on a quiet machine. With a sanitizer and the most eager
--- collector busted alone needs more than twenty to begin.
return 200
