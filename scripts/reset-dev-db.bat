@rem This is db-init's script, not the application's of the same name. The recovery document uses this name. It calls
@rem db-init-reset.bat.
@echo This is db-init's reset-dev-db.bat: it runs db-init-reset.bat, which is "db-init reset". 1>&2
@call "%~dp0db-init-reset.bat" %*
@exit /b %ERRORLEVEL%
