from hypothesis import settings

settings.register_profile("minidiff", deadline=None, max_examples=40)
settings.load_profile("minidiff")
