"""What the Web UI lists by. SQL visibility has ten Keyword slots and three of each other type."""

from typing import Final

from temporalio.common import SearchAttributeKey

ORDER_STAGE: Final = SearchAttributeKey.for_keyword("OrderStage")
FAILURE_CLASS: Final = SearchAttributeKey.for_keyword("FailureClass")
VIDEO_MODEL: Final = SearchAttributeKey.for_keyword("VideoModel")
TG_USER_ID: Final = SearchAttributeKey.for_int("TgUserId")
KIE_TASK_IDS: Final = SearchAttributeKey.for_keyword_list("KieTaskIds")

ALL_SEARCH_ATTRIBUTES: Final = (ORDER_STAGE, FAILURE_CLASS, VIDEO_MODEL, TG_USER_ID, KIE_TASK_IDS)
